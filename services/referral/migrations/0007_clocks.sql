-- By when something has to be done. What was worked out from rule and calendar is kept, so that another edition of either moves no clock
-- that runs; and what was said of it is kept, so that a restart, a second replica or a system clock that jumps says nothing twice.
create table referral.clocks (
    id               uuid primary key,
    call_id          uuid not null references referral.packages,
    force_id         text not null,
    -- As clocks.toml had it when it began.
    key              text not null,
    title            text not null,
    source           text not null,
    ends_with        text not null check (ends_with in ('sent', 'acknowledged', 'outcome', 'done')),
    -- Null: of the call itself.
    referral_id      uuid,
    started_at       timestamptz not null,
    near_at          timestamptz not null,
    due_at           timestamptz not null,
    near_raised_at   timestamptz,
    missed_raised_at timestamptz,
    stopped_at       timestamptz,
    -- When something is next to be said of it; null: never again.
    next_at          timestamptz generated always as (case
        when stopped_at is not null or missed_raised_at is not null then null
        when near_raised_at is null then near_at
        else due_at end) stored,
    check (started_at <= near_at and near_at <= due_at),
    -- Begun again for the same, it is the one that runs already.
    unique nulls not distinct (call_id, key, referral_id)
);

create index clocks_next on referral.clocks (next_at, id) where next_at is not null;
-- ListDue: a force's open ones, the next due first.
create index clocks_open on referral.clocks (force_id, due_at, id) where stopped_at is null;
-- WatchDue: those of them that were raised.
create index clocks_raised on referral.clocks (force_id, due_at, id) where stopped_at is null and near_raised_at is not null;

select outbox.isolate('referral.clocks');
