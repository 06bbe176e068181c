"""What a scheduled program finds beside Python itself: the helpers that ``emulator/code/schedule.py`` puts into it.

Rule: plain Python, without imports, that Monty and CPython both run, before the program and in its namespace.  The
host supplies ``ToolError`` and ``_pause_``, which ends the run and never returns.

A call whose result isn't there yet gives the stand-in ``...``.  It may be stored; whatever would look into it is
wrapped in one of these, which end the run there.  They also note which results were looked at.  What they need of the
language they hold themselves, so that a program may give its names another meaning.
"""

PREAMBLE = """
def _helpers_(
    BaseException=BaseException, MemoryError=MemoryError, bool=bool, bytes=bytes, complex=complex,
    dict=dict, float=float, frozenset=frozenset, getattr=getattr, hasattr=hasattr, id=id, int=int,
    isinstance=isinstance, len=len, list=list, print=print, range=range, set=set, sorted=sorted,
    repr=repr, str=str, tuple=tuple, type=type,
):
    import json as _json_
    import datetime as _dates_
    _results_ = []
    _places_ = {}
    _open_ = []
    _read_ = {}
    _budget_ = [20000]
    _value_ = [None]
    _most_ = 100000
    _scalars_ = (str, int, float, bool, type(None))
    _plain_ = (
        *_scalars_, bytes, complex, type(print), type(range(0)), type(lambda: 0), type(type), type(_json_),
        _dates_.date, _dates_.datetime, _dates_.time, _dates_.timedelta, _dates_.timezone,
    )

    def _t_(v):
        if v is ...:
            _open_.append(1)
        else:
            k = v if type(v) in _scalars_ else id(v)
            if k in _places_:
                _places_[k].append(len(_results_))
            else:
                _places_[k] = [len(_results_)]
        _results_.append(v)
        return v

    def _note_(v):
        k = v if type(v) in _scalars_ else id(v)
        if k in _places_:
            for i in _places_[k]:
                _read_[i] = True

    def _u_(v):
        if v is ...:
            _pause_()
        if _places_:
            _note_(v)
        return v

    def _walk_(v, pausing):
        left = [v]
        seen = {}
        while left:
            x = left.pop()
            if x is ...:
                if pausing:
                    _pause_()
                continue
            _note_(x)
            if type(x) in _scalars_:
                continue
            if not pausing:
                _budget_[0] -= 1
                if _budget_[0] < 0:
                    return
            if id(x) in seen:
                continue
            seen[id(x)] = True
            if isinstance(x, dict):
                left.extend(x.keys())
                left.extend(x.values())
            elif isinstance(x, (list, tuple, set, frozenset)):
                left.extend(x)
            elif pausing and type(x) not in _plain_ and not isinstance(x, BaseException):
                _pause_()

    def _c_(v):
        left = [v]
        for _ in range(_most_):
            if not left:
                return _p_(v)
            x = left.pop()
            if isinstance(x, dict):
                left.extend(x.keys())
                left.extend(x.values())
            elif isinstance(x, (list, tuple, set, frozenset)):
                left.extend(x)
        raise MemoryError("too much data for one call")

    def _last_(v):
        _value_[0] = v

    def _end_(shown, most):
        v = _value_[0]
        if shown and v is not None:
            _p_(v)
        _value_[0] = None
        return [None if v is None or v is ... else (v if type(v) is str else repr(v))[:most], list(_read_)]

    def _wv_(v):
        if _open_:
            _pause_()
        return v

    def _w_():
        if _open_:
            _pause_()

    def _d_(v):
        if _open_:
            _walk_(v, True)
        elif _places_ and _budget_[0] > 0:
            _walk_(v, False)
        return v

    def _p_(v):
        if _places_ and _budget_[0] > 0:
            _walk_(v, False)
        return v

    def _ds_(*vs):
        _d_(vs)
        return vs

    def _e_(vs):
        vs = list(_u_(vs))
        for v in vs:
            _u_(v)
        return vs

    def _a_(v, name):
        _u_(v)
        if isinstance(v, dict) and name in v:
            return v[name]
        return getattr(v, name)

    def _get_(v, name, *default):
        _u_(v)
        if isinstance(v, dict) and name in v:
            return v[name]
        return getattr(v, name, *default)

    def _has_(v, name):
        _u_(v)
        return name in v if isinstance(v, dict) else hasattr(v, name)

    def _loads_(v, *a, **k):
        _u_(v)
        return _json_.loads(v, *a, **k) if type(v) in (str, bytes) else v

    def _sorted_(xs, key=None, reverse=False):
        xs = list(_u_(xs))
        ks = _d_(xs if key is None else [key(x) for x in xs])
        return [xs[i] for i in sorted(range(len(xs)), key=lambda i: ks[i], reverse=reverse)]

    def _sort_(xs, key=None, reverse=False):
        xs[:] = _sorted_(xs, key, reverse)

    def _best_(pick, xs, key, *default):
        xs = list(_u_(xs))
        if not xs and default:
            return default[0]
        ks = _d_([key(x) for x in xs])
        return xs[pick(range(len(xs)), key=lambda i: ks[i])]
    return (
        _t_, _u_, _d_, _p_, _ds_, _e_, _w_, _wv_, _c_, _last_, _end_, _a_, _get_, _has_, _loads_,
        _sorted_, _sort_, _best_, _read_,
    )

(
    _t_, _u_, _d_, _p_, _ds_, _e_, _w_, _wv_, _c_, _last_, _end_, _a_, _get_, _has_, _loads_,
    _sorted_, _sort_, _best_, _read_,
) = _helpers_()
from dataclasses import dataclass as _dataclass_
""".lstrip()
