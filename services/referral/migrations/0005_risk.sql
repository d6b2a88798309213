-- Risk: assessments with their answers and grades, and by what earlier calls of the same people are found. Personal data.

-- One going-through of a question set. The last of a call is the present one; those before it are kept.
create table referral.assessments (
    assessment_id uuid primary key,
    call_id       uuid not null references referral.packages (call_id),
    force_id      text not null,
    -- First, second ... of its call.
    n             integer not null check (n > 0),
    -- The questions as they were when it was begun, as src/domain/risk/questions.rs has them: a later edition changes nothing in it.
    questions     jsonb not null,
    -- Counted up with each saving of answers; a further assessment of a call goes on from the one before it.
    version       bigint not null,
    begun_at      timestamptz not null,
    begun_by      text not null,
    unique (call_id, n)
);

-- Each version of each answer.
create table referral.answers (
    assessment_id uuid not null references referral.assessments (assessment_id),
    force_id      text not null,
    question      text not null,
    version       bigint not null check (version > 0),
    choice        text not null,
    note          text not null,
    words         text not null,
    said_at       timestamptz,
    saved_by      text not null,
    saved_at      timestamptz not null,
    primary key (assessment_id, question, version)
);

-- Each grade that was given; the last of a call is the one that it has.
create table referral.gradings (
    id            bigint generated always as identity primary key,
    call_id       uuid not null references referral.packages (call_id),
    assessment_id uuid not null references referral.assessments (assessment_id),
    force_id      text not null,
    -- The assessment's.
    version       bigint not null,
    grade         text not null check (grade in ('standard', 'medium', 'high')),
    graded_by     text not null check (graded_by in ('count', 'escalation', 'judgement')),
    reason        text not null,
    officer_id    text not null,
    at            timestamptz not null,
    -- What answers and history said then, as src/domain/risk/finding.rs has it.
    finding       jsonb not null
);
create index gradings_of_call on referral.gradings (call_id, id);

-- What of a call's people is compared with those of others, in one spelling (src/domain/risk/matching.rs). Kept up with the people.
create table referral.profiles (
    call_id  uuid primary key references referral.packages (call_id),
    force_id text not null,
    -- When the call was.
    at       timestamptz not null,
    people   jsonb not null
);

-- By what they are looked up. Text, and asked about by equality alone: that is all that an index may be used for below a policy.
create table referral.match_keys (
    force_id text not null,
    key      text not null,
    call_id  uuid not null references referral.packages (call_id),
    primary key (force_id, key, call_id)
);
create index match_keys_of_call on referral.match_keys (call_id);

-- What officers said of earlier calls that were found. The last word on each counts.
create table referral.verdicts (
    id              bigint generated always as identity primary key,
    call_id         uuid not null references referral.packages (call_id),
    earlier_call_id uuid not null references referral.packages (call_id),
    force_id        text not null,
    same_people     boolean not null,
    officer_id      text not null,
    at              timestamptz not null
);
create index verdicts_of_call on referral.verdicts (call_id, earlier_call_id, id);

-- What was answered, graded and said is added to and never changed. A guard rail against our own mistakes.
create function referral.only_added() returns trigger language plpgsql as $body$
begin
    raise exception 'rows of referral.% are only added', tg_table_name;
end $body$;
create trigger write_once before update or delete on referral.answers
    for each row execute function referral.only_added();
create trigger write_once before update or delete on referral.gradings
    for each row execute function referral.only_added();
create trigger write_once before update or delete on referral.verdicts
    for each row execute function referral.only_added();

-- See outbox.isolate.
select outbox.isolate(mine)
from unnest(array['referral.assessments', 'referral.answers', 'referral.gradings', 'referral.profiles', 'referral.match_keys',
                  'referral.verdicts']::regclass[]) as mine;
