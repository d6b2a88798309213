-- The disclosure schedule, as officers have answered for it: each version whole, with what every entry was about, so that it can be
-- seen what has come or changed since. Rows are added and never changed.
create table referral.schedules (
    call_id  uuid not null references referral.packages (call_id),
    force_id text not null,
    -- 1, 2, 3 ... of the call: two officers can't both save the same one.
    version  int not null check (version > 0),
    -- As domain/schedule.rs has them.
    entries  jsonb not null,
    saved_by text not null,
    saved_at timestamptz not null,
    primary key (call_id, version)
);
create trigger write_once before update or delete on referral.schedules
    for each row execute function referral.refuse();
select outbox.isolate('referral.schedules');
