-- Referrals of a case as they stand, and everything that each of them ever was: what was sent is in `body` word for word.
create table referral.referrals (
    id        uuid primary key,
    call_id   uuid not null references referral.packages (call_id),
    force_id  text not null,
    kind      text not null,
    -- The child that it is about, for such a kind; also one who was taken out since.
    person_id uuid,
    state     text not null,
    -- As domain/referral.rs has it. Personal data.
    body      jsonb not null,
    revision  bigint not null
);
create index referrals_of_call on referral.referrals (call_id, id);
-- One draft a kind and person.
create unique index one_draft on referral.referrals (call_id, kind, person_id) nulls not distinct where state = 'draft';

create table referral.referral_versions (
    referral_id uuid not null references referral.referrals (id),
    revision    bigint not null,
    call_id     uuid not null,
    force_id    text not null,
    body        jsonb not null,
    -- Whose word it is; null: a rule's, or the caller's own, who took their consent back.
    saved_by    text,
    saved_at    timestamptz not null,
    primary key (referral_id, revision)
);
create trigger write_once before update or delete on referral.referral_versions
    for each row execute function referral.refuse();

select outbox.isolate('referral.referrals');
select outbox.isolate('referral.referral_versions');
