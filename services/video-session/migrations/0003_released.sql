-- When evidence-store no longer needs our copy of a session's segments to be whole: the spool's folder may go.
alter table session.sessions add column released_at timestamptz;
