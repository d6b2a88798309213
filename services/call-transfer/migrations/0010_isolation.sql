-- Row-level security: a statement that forgets the force finds nothing of another's. What belongs to a call has its force.
-- See outbox.isolate.
select outbox.isolate('transfer.calls');
select outbox.isolate('transfer.offers');
select outbox.isolate('transfer.officers');
select outbox.isolate('transfer.alerts');
select outbox.isolate('transfer.callbacks');
select outbox.isolate('transfer.callback_attempts');
select outbox.isolate('transfer.callback_looks');
select outbox.isolate('transfer.shifts');
select outbox.isolate('transfer.reassignments');

select outbox.isolate_child('transfer.passes', 'call_id', 'transfer.calls', 'call_id');
select outbox.isolate_child('transfer.fast_tracks', 'call_id', 'transfer.calls', 'call_id');
