from __future__ import annotations
import sys; sys.path.insert(0, "/work/main")
import msgspec
from dataclasses import replace
from hypothesis import HealthCheck, given, settings
from tests.sessions.happening import happenings, at
from tests.ingest.test_fold import put, folder_of, clear, memory
from tests.reports.test_filtered import with_visitors_of
from visitor_tracker.days import *
from visitor_tracker.ingest.people import Rule
from visitor_tracker.reports.query import *
from visitor_tracker.reports.answers import answer
from visitor_tracker.reports.filtered import filtered
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable
import visitor_tracker.reports.scan as scan
scan.CHUNK = 3
DIMS=[d for d in DIMENSIONS.values() if d not in OF_EVENTS]
@given(happened=happenings())
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_diff(memory, happened):
    world, batches = happened
    if world.folded_in: return
    clear(memory)
    rule=Rule(world.timezone, world.keys=="daily")
    for b in batches:
        put(memory,b); assert folder_of(memory,rule).step()
    table=ReportTable(memory.database)
    site=Site(1,"default",timezone=world.timezone)
    events=[e for b in batches for e in b]
    days=sorted({e.day for e in events})
    now=max(e.ts for e in events)+5*DAY_MS
    policy=world.keys
    def q(period, **k):
        return read_question(Asked(period=period, limit="1000", **k), site, policy, now_ms=now, oldest=lambda: table.oldest(1))
    d=lambda n: date_of(n).isoformat()
    periods=[(d(day), iv) for day in days for iv in ("hour","day","week","month")]
    mid=days[len(days)//2]
    a,b=day_after(days[0],-1), day_after(days[-1])
    periods+=[(f"{d(x)}..{d(y)}",iv) for x,y in ((a,b),(days[0],mid),(mid,days[-1]),(a,mid)) for iv in ("hour","day","week","month")]
    for period, iv in periods:
        for order in ("views",):
            question=q(period, interval=iv, order=order)
            told=answer(table,question,DIMS); counted=filtered(table,question,DIMS)
            assert counted[0]==told.totals or (msgspec.structs.replace(counted[0],visitors_are=told.totals.visitors_are)==told.totals and policy!="daily"), (period,iv,counted[0],told.totals)
            cs, ts = counted[1], told.series
            if cs.visitors_are!=ts.visitors_are:
                cs=msgspec.structs.replace(cs,visitors_are=ts.visitors_are)
            assert cs==ts,(period,iv,cs,ts)
            for one,other in zip(counted[2],told.breakdowns):
                exact = other.visitors_are==one.visitors_are
                cmp_=one if exact else with_visitors_of(one,other)
                assert cmp_==other,(period,iv,one,other)
            # sums
            pts=[p.numbers for p in told.series.points]
            for f in ("visits","views","bounces","singles","engaged_ms","duration_ms","events"):
                assert sum(getattr(p,f) for p in pts)==getattr(told.totals.numbers,f),(period,iv,f)
            if policy=="daily" and iv!="hour":
                assert sum(p.visitors for p in pts)==told.totals.numbers.visitors
            lo,hi=question.span.first_day,question.span.last_day
            ids=[e for e in events if lo<=e.day<=hi and not e.signals & 0]
        for tz in ("Asia/Kolkata","Pacific/Auckland"):
            if iv in ("hour",) and ".." in period: continue
            fq=q(period, interval=iv, timezone=tz, order="views")
            told=answer(table,fq,DIMS[:6]); counted=filtered(table,fq,DIMS[:6])
            z=lambda n: msgspec.structs.replace(n,visitors=None)
            assert z(told.totals.numbers)==z(counted[0].numbers),(period,iv,tz)
            assert [z(p.numbers) for p in told.series.points]==[z(p.numbers) for p in counted[1].points]
            for one,other in zip(counted[2],told.breakdowns):
                x={r.value:z(r.numbers) for r in one.rows}; y={r.value:z(r.numbers) for r in other.rows}
                assert x==y,(period,iv,tz,one,other)
