-- What this service has said and not yet told the others (outbox), what it has heard (inbox), what it could not do
-- (parked), and what it has answered (answers). The schema is the same in every service's database.
create schema if not exists outbox;

-- One row per call. Its lock orders the transactions that write events about the call, so that versions follow the
-- order of commits and the relay never meets version 5 before version 4.
create table outbox.calls (
    call_id uuid primary key,
    version bigint not null check (version > 0)
);
comment on table outbox.calls is 'how many events each call has, and the lock that orders their writers';
comment on column outbox.calls.call_id is 'the aggregate: order holds within a call';
comment on column outbox.calls.version is 'version of the call''s latest event';

create table outbox.events (
    event_id uuid primary key,
    call_id uuid not null,
    version bigint not null check (version > 0),
    name text not null,
    force_id text not null,
    payload bytea not null,
    trace text not null,
    occurred_at timestamptz not null,
    published_at timestamptz,
    unique (call_id, version)
);
comment on table outbox.events is 'events, written in the transaction of the state change that they tell of';
comment on column outbox.events.event_id is 'also the Nats-Msg-Id, by which the stream drops a second publish';
comment on column outbox.events.call_id is 'the aggregate: order holds within a call';
comment on column outbox.events.version is '1, 2, 3, … within the call, in the order of commits';
comment on column outbox.events.name is 'snake_case, the subject''s fifth token: transfer_requested';
comment on column outbox.events.force_id is 'the force, the subject''s last token';
comment on column outbox.events.payload is 'the protobuf message: ids and facts, never personal data';
comment on column outbox.events.trace is 'W3C traceparent of the span that wrote it, empty for none';
comment on column outbox.events.occurred_at is 'the writer''s now';
comment on column outbox.events.published_at is 'the database''s now when the stream had acknowledged it; null until then';

-- The relay's only question: each call's oldest unpublished event. Published rows leave the index.
create index events_unpublished on outbox.events (call_id, version) where published_at is null;

-- One row per event and consumer, inserted in the transaction of the event's effect: no row, no effect; row, no second one.
create table outbox.inbox (
    consumer text not null,
    source text not null,
    call_id uuid not null,
    version bigint not null,
    event_id uuid not null,
    handled_at timestamptz not null,
    primary key (consumer, source, call_id, version)
);
comment on table outbox.inbox is 'events whose effect has been committed (or that were parked)';
comment on column outbox.inbox.consumer is 'the durable consumer''s name';
comment on column outbox.inbox.source is 'the service that published it';
comment on column outbox.inbox.call_id is 'the call that it is about';
comment on column outbox.inbox.version is 'its version within the call at the source; later ones wait for this row';
comment on column outbox.inbox.event_id is 'its id, for whoever follows one event';
comment on column outbox.inbox.handled_at is 'the consumer''s now';

create table outbox.parked (
    consumer text not null,
    stream_sequence bigint not null,
    subject text not null,
    event_id uuid,
    call_id uuid,
    headers jsonb not null,
    payload bytea not null,
    reason text not null,
    tries integer not null,
    parked_at timestamptz not null,
    primary key (consumer, stream_sequence)
);
comment on table outbox.parked is 'events that could not be handled: each row raised an alarm and waits for a person';
comment on column outbox.parked.consumer is 'the durable consumer''s name';
comment on column outbox.parked.stream_sequence is 'where it is in its stream';
comment on column outbox.parked.subject is 'the subject it came on';
comment on column outbox.parked.event_id is 'its id; null when its headers are not an event''s';
comment on column outbox.parked.call_id is 'the call that it is about; null when its headers are not an event''s';
comment on column outbox.parked.headers is 'its headers: with the payload, all that is needed to publish it again';
comment on column outbox.parked.payload is 'its body as received';
comment on column outbox.parked.reason is 'why, in the code''s words';
comment on column outbox.parked.tries is 'how often it was tried';
comment on column outbox.parked.parked_at is 'the consumer''s now';

create table outbox.answers (
    request_id uuid primary key,
    rpc text not null,
    request_hash bytea not null,
    answer bytea,
    claimed_at timestamptz not null default now()
);
comment on table outbox.answers is 'first answers to mutating requests: a repeat gets the same one and has no second effect';
comment on column outbox.answers.request_id is 'chosen by the client';
comment on column outbox.answers.rpc is 'the method that it was first used with';
comment on column outbox.answers.request_hash is 'SHA-256 of the request: the same id with other content is refused. A hash, because requests hold personal data';
comment on column outbox.answers.answer is 'the protobuf answer; null only within the transaction that makes it';
comment on column outbox.answers.claimed_at is 'the database''s now, for pruning only';
