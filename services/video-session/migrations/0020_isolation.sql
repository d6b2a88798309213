-- Row-level security: a statement that forgets the force finds nothing of another's. What belongs to a session or an
-- invitation has its force. See outbox.isolate.
--
-- Without it: instances (processes, not calls) and guesses (one row, which counts everybody's wrong codes).
select outbox.isolate('session.sessions');
select outbox.isolate('session.early_consents');

select outbox.isolate_child(child, 'session_id', 'session.sessions', 'session_id')
from unnest(array['session.participants', 'session.invitations', 'session.tracks', 'session.presences',
                  'session.fast_tracks']::regclass[]) as child;

select outbox.isolate_child('session.texts', 'invitation_id', 'session.invitations', 'invitation_id');
