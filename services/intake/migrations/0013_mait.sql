-- Calls that came by a MAIT message, and how far their updates have gone back by MAIT messages. A row is the cursor of one
-- call: whoever claims it sends its updates in order, and nobody else does meanwhile. Updates are counted in here as they
-- are written, so what is due is seen without a look at any call.
create table intake.mait_sent (
    call_id  uuid primary key references intake.calls,
    force_id text not null,
    -- The last sequence in intake.call_updates, and the last one that the control room has taken.
    told     bigint not null,
    sent     bigint not null default 0,
    check (sent between 0 and told),
    -- How often the next one was tried in vain.
    failures integer not null default 0,
    -- Not before this: it failed, or somebody has claimed it and may still be sending.
    next_at  timestamptz not null,
    -- Of whoever is sending; null when nobody is. A claim that outlived its time is taken over.
    claim    uuid
);

create index mait_sent_due on intake.mait_sent (force_id, next_at) where told > sent;
