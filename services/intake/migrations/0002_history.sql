-- What was asked and answered before the desk had the call. Rows are added, never changed: a re-assessment is a
-- further version, a changed mind a further consent.
create table intake.triages (
    call_id          uuid not null references intake.calls,
    version          integer not null check (version > 0),
    at               timestamptz not null,
    -- THRIVE in the contact handler's words. Personal data.
    threat           text not null,
    harm             text not null,
    risk_words       text not null,
    investigation    text not null,
    vulnerability    text not null,
    engagement       text not null,
    -- The phone and the room.
    phone_shared     boolean not null,
    messages_read    boolean not null,
    overheard        boolean not null,
    immediate_danger boolean not null,
    offender_present boolean not null,
    can_join         boolean not null,
    risk             text not null,
    language         text not null,
    children_present boolean not null,
    -- What it came to: {"eligible": "spoken_code"} or {"ineligible": "immediate_danger"}.
    verdict          jsonb not null,
    primary key (call_id, version)
);

create table intake.consents (
    id       bigint generated always as identity primary key,
    call_id  uuid not null references intake.calls,
    at       timestamptz not null,
    kind     text not null check (kind in ('video', 'recording', 'stills')),
    given    boolean not null,
    -- "spoken on the 999 line".
    how      text not null,
    -- Collar number or system id of the contact handler.
    taken_by text not null
);

create index consents_of_call on intake.consents (call_id, id);
