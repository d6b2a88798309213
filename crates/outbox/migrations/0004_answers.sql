-- Answers hold what was asked for, personal data included, and nobody asks again after a quarter of a year: then the answer goes. The
-- request's id and hash stay, so that a repeat has no second effect even then.
create index answers_kept on outbox.answers (claimed_at) where answer is not null;
comment on column outbox.answers.answer is
    'the protobuf answer; null within the transaction that makes it, and again once it is 90 days old';
comment on column outbox.answers.claimed_at is 'the database''s now, for forgetting only';
