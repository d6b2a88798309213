-- A triage may be taken again while an officer has the call, and then says why and by whom; both are null where nobody
-- said. The reason is the contact handler's words about the caller. Personal data.
alter table intake.triages add column reason text;
alter table intake.triages add column taken_by text;
