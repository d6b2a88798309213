-- What WatchForce tells, numbered 1, 2, 3 ... in each force. A number is taken under the lock of the force's row, which
-- is held until the commit: whoever sees a number sees every smaller one, so a watcher that goes on after the last it
-- has seen misses nothing. A sequence would give out numbers that commit in another order.
create table intake.forces (
    force_id text primary key,
    -- The last sequence in intake.force_updates.
    told     bigint not null default 0
) with (fillfactor = 50);

create table intake.force_updates (
    force_id text not null references intake.forces,
    sequence bigint not null check (sequence > 0),
    at       timestamptz not null,
    call_id  uuid not null references intake.calls,
    -- {"kind": "ended", "reason": ...}, as src/domain/force.rs has it.
    body     jsonb not null check (body ? 'kind'),
    primary key (force_id, sequence)
);
