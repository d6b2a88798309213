-- Row-level security: a statement that forgets the force finds nothing of another's. See outbox.isolate.
select outbox.isolate('referral.packages');
