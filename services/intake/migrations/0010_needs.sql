-- What a triage found that the caller needs of the desk: the queue goes by how vulnerable they are, and the officer they
-- are given by whom they can speak with. Null, or false, of triages taken before this was asked.
alter table intake.triages add column vulnerability_grade text check (vulnerability_grade in ('none', 'some', 'great'));
alter table intake.triages add column officer_asked_for text check (officer_asked_for in ('woman', 'man'));
alter table intake.triages add column child_may_speak boolean not null default false;
