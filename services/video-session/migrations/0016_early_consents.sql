-- A consent that is given or taken back while the call waits, or just as it is accepted, may be heard of before the session is there:
-- intake and call-transfer tell of the two in streams of their own. It is kept here until the session is made, which heeds it.
create table session.early_consents (
    call_id  uuid        not null,
    -- The how-manieth of the events that intake tells of the call: the greater is the newer.
    version  bigint      not null,
    force_id text        not null,
    -- What was said of each kind; null: nothing.
    video     boolean,
    recording boolean,
    stills    boolean,
    covered   boolean,
    kept_at  timestamptz not null,
    primary key (call_id, version)
);

-- Of a call that never comes to the desk nobody tells that it is over: what is a week old goes.
create index early_consents_old on session.early_consents (kept_at);

-- A caller who doesn't agree to video any more ends the session.
alter table session.sessions
    drop constraint sessions_end_reason_check,
    add constraint sessions_end_reason_check
        check (end_reason in ('OFFICER_ENDED', 'CALLER_LEFT', 'BOTH_GONE', 'VIDEO_CONSENT_WITHDRAWN'));
