-- The archiver asks every half minute which sealed exhibits are archived whole and were not told of yet. That went through every exhibit
-- that there ever was: now those that were told of are left out by an index. A trigger keeps it so, for a process of the version before
-- knows archived_exhibits alone.
alter table evidence.exhibits add column archived boolean not null default false;

update evidence.exhibits e set archived = true
from evidence.archived_exhibits a where a.exhibit_id = e.exhibit_id;

create function evidence.note_archived() returns trigger language plpgsql as $$
begin
    update evidence.exhibits set archived = true where exhibit_id = new.exhibit_id;
    return null;
end $$;

create trigger note_archived after insert on evidence.archived_exhibits
    for each row execute function evidence.note_archived();

create index exhibits_to_archive on evidence.exhibits (exhibit_id) where state = 'sealed' and not archived;
