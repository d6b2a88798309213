-- Fast-track: the officer asks the control room to send somebody now, and it is raised again until somebody takes it on. The
-- deadline is here and in no process' memory, so a restart at any moment forgets none.
create table intake.fast_tracks (
    -- The session's id of it: heard twice, it is one.
    id           uuid primary key,
    call_id      uuid not null references intake.calls,
    -- What the officer asked: {"officer": ..., "risk": ..., "reason": ..., ...}, as src/domain/fast_track.rs has it.
    wish         jsonb not null,
    times        integer not null check (times > 0),
    -- {"stand": "raised", "again_at": ...}, as src/domain/fast_track.rs has it.
    stand        jsonb not null check (stand ? 'stand'),
    -- When it is raised again; null: not any more.
    again_at     timestamptz,
    check ((stand ->> 'stand' = 'raised') = (again_at is not null))
);

create index fast_tracks_due on intake.fast_tracks (again_at) where again_at is not null;
create index fast_tracks_of_call on intake.fast_tracks (call_id);

-- Where the caller is. Personal data: in this table, and in no log, span or event. Deleted when it expires, and when they say no.
create table intake.locations (
    call_id      uuid primary key references intake.calls,
    latitude     double precision not null,
    longitude    double precision not null,
    accuracy_m   integer not null,
    words        text not null,
    taken_at     timestamptz not null,
    expires_at   timestamptz not null
);

create index locations_by_expiry on intake.locations (expires_at);

-- Who has looked at it, and why. Rows are added, never changed; they outlive the place.
create table intake.location_looks (
    id           bigint generated always as identity primary key,
    call_id      uuid not null references intake.calls,
    at           timestamptz not null,
    -- The officer, or in the control room the contact handler.
    looked_by    text not null,
    reason       text not null
);

create index location_looks_of_call on intake.location_looks (call_id, id);

-- One consent more: that the officer and the control room look at where they are.
alter table intake.calls add column consent_location boolean;

alter table intake.consents drop constraint consents_kind_check;
alter table intake.consents
    add constraint consents_kind_check check (kind in ('video', 'recording', 'stills', 'covered', 'location'));
