-- The calls of the control rooms: one row a call, the truth about where it stands.
create schema if not exists intake;

create table intake.calls (
    id                uuid primary key,
    -- Every row belongs to one force; every statement asks by it, so another force's id finds nothing.
    force_id          text not null,
    line              text not null check (line in ('emergency', 'non_emergency')),
    -- The force's own reference. Numbers restart every day, so the date is part of it; kept as the force writes it.
    incident_date     text not null,
    incident_number   text not null,
    -- Personal data: in this column, and in no log, span, event or answer. Null when withheld.
    caller_number     text,
    opened_at         timestamptz not null,
    -- The state with what it carries: {"state": "with_desk", "officer": ...}, as src/domain.rs has it.
    state             jsonb not null check (state ? 'state'),
    -- How many triages were taken: the next one's version is one more.
    triages           integer not null default 0,
    -- The consents as they stand; null was never asked. intake.consents has who took them, how and when.
    consent_video     boolean,
    consent_recording boolean,
    consent_stills    boolean,
    -- The exhibit, once sealed.
    exhibit_id        uuid,
    exhibit_reference text,
    seal_sha256       text,
    -- The last sequence in intake.call_updates: taken under this row's lock, so numbers have no gap.
    told              bigint not null default 0,
    -- The one call that OpenCall answers for this incident. A later call takes it from one that is over.
    is_current        boolean not null default true,
    -- W3C traceparent of the request that opened the call; all that follows joins that trace.
    trace             text not null,
    check (num_nulls(exhibit_id, exhibit_reference, seal_sha256) in (0, 3))
);

-- Two OpenCalls at once for one incident make one call: the second insert meets this index.
create unique index calls_current_incident on intake.calls (force_id, incident_date, incident_number) where is_current;
