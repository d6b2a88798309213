-- How many stills a session has: names the next one, whichever instance has the session by then.
alter table session.sessions add column stills_taken integer not null default 0;
alter table session.sessions alter column stills_taken drop default;
