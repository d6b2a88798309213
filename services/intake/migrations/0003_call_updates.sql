-- What WatchCall tells, numbered 1, 2, 3 ... in each call. Written in the transaction of the effect that it tells of,
-- so a watcher that comes back with the last sequence seen misses nothing and hears nothing twice.
create table intake.call_updates (
    call_id  uuid not null references intake.calls,
    sequence bigint not null check (sequence > 0),
    at       timestamptz not null,
    -- {"kind": "queued", "position": 1}, as src/domain/values.rs has it.
    body     jsonb not null check (body ? 'kind'),
    primary key (call_id, sequence)
);
