-- The evidential package of each call. The row comes with the first fact heard about the call, which may be long
-- before the session ends: until then package_id is null and GetPackage doesn't know it.
create schema if not exists referral;

create table referral.packages (
    call_id    uuid primary key,
    -- Every row belongs to one force; every statement asks by it, so another force's id finds nothing.
    force_id   text not null,
    -- Set when the session ended and the package opened.
    package_id uuid unique,
    opened_at  timestamptz,
    -- What was heard, by fact: the items are worked out from it, so a fact may come early, late or twice.
    facts      jsonb not null,
    -- The checklist as it was when the package opened: a later one doesn't change what this package needed.
    checklist  jsonb,
    -- W3C traceparent of the call; what we publish joins that trace.
    trace      text not null,
    check (num_nulls(package_id, opened_at, checklist) in (0, 3))
);
