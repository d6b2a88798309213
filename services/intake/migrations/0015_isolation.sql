-- Row-level security: a statement that forgets the force finds nothing of another's. What belongs to a call has its force.
-- See outbox.isolate.
select outbox.isolate('intake.calls');
select outbox.isolate('intake.forces');
select outbox.isolate('intake.force_updates');

select outbox.isolate_child(child, 'call_id', 'intake.calls', 'id')
from unnest(array['intake.triages', 'intake.consents', 'intake.call_updates', 'intake.fast_tracks', 'intake.locations',
                  'intake.location_looks']::regclass[]) as child;
