-- Row-level security: a statement that forgets the force finds nothing of another's. What belongs to an exhibit, a session
-- or a hold has its force, for a policy that looked it up would look it up in every statement. See outbox.isolate.
--
-- Without it: journal_files and archived_files (a file of the journal holds many calls' records, none in the clear), and
-- log_queue, log_entries and log_checkpoints (the log is public: digests, of every force in one tree).
select outbox.isolate('evidence.exhibits');
select outbox.isolate('evidence.sessions');
select outbox.isolate('evidence.consents');

select outbox.isolate_child('evidence.declared_tracks', 'call_id', 'evidence.sessions', 'call_id');

select outbox.isolate_child(child, 'exhibit_id', 'evidence.exhibits', 'exhibit_id')
from unnest(array['evidence.tracks', 'evidence.segments', 'evidence.conflicts', 'evidence.alarms', 'evidence.artefacts',
                  'evidence.accesses', 'evidence.access_heads', 'evidence.items', 'evidence.holds', 'evidence.reviews',
                  'evidence.disposals', 'evidence.exhibit_files', 'evidence.archived_exhibits']::regclass[]) as child;

select outbox.isolate_child('evidence.hold_releases', 'hold_id', 'evidence.holds', 'hold_id');
