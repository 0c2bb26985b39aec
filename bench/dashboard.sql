-- What the 12 panels of bench/dashboard.py read, as the reports run it: for a look at plans and times in
-- the shells of sqlite3 and mysql. What is asked afterwards of the rows that are shown, sums and texts, is left out.
-- Written by  bench/dashboard.py --write-sql

-- totals
select period, visitors, visits, views, bounces, singles, engaged_ms, duration_ms, events
from rollup_day
where site_id = 1 and dimension = 0 and period >= 20251202 and period <= 20251231 and value = 0
order by period;

-- totals of the 30 days before
select period, visitors, visits, views, bounces, singles, engaged_ms, duration_ms, events
from rollup_day
where site_id = 1 and dimension = 0 and period >= 20251102 and period <= 20251201 and value = 0
order by period;

-- series by day
select period, visitors, visits, views, bounces, singles, engaged_ms, duration_ms, events
from rollup_day
where site_id = 1 and dimension = 0 and period >= 20251202 and period <= 20251231 and value = 0
order by period;

-- top pages
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 1 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- entry pages
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 3 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- exit pages
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 4 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- sources
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 5 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- channels
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 7 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- countries
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 14 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- browsers
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 18 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- devices
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 22 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;

-- events
select value, sum(amount + 0e0) as amount, count(*) over () as found
from (select value, visitors as amount
from rollup_day
where site_id = 1 and dimension = 25 and period >= 20251202 and period <= 20251231 and visitors + visits + views + events > 0) as pieces
group by value
order by amount desc, value
limit 10 offset 0;
