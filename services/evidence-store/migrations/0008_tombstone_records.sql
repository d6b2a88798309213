-- What a journal file holds of an exhibit beside its segments and items. An exhibit is archived once the file with its seal is,
-- and a tombstone is archived soon: with the journal alone, an exhibit that was disposed of must not come back.
alter table evidence.exhibit_files
    add column seal      boolean not null default false,
    add column tombstone boolean not null default false;

-- Which file has the seal of what was sealed before wasn't noted: all of them may.
update evidence.exhibit_files f set seal = true
from evidence.exhibits e where e.exhibit_id = f.exhibit_id and e.state = 'sealed';
