-- What is in object storage too, so that the copies that others keep for re-sending may go, and ours after them.

-- Which journal files hold any record of an exhibit: its opening, segments, conflicts, items. From the indexer.
create table evidence.exhibit_files (
    exhibit_id  uuid   not null references evidence.exhibits,
    file        bigint not null,
    primary key (exhibit_id, file)
);

-- Asked of a file that is about to go: whose records are in it?
create index exhibit_files_by_file on evidence.exhibit_files (file);

insert into evidence.exhibit_files (exhibit_id, file)
select exhibit_id, file from evidence.segments
union select exhibit_id, file from evidence.conflicts
union select exhibit_id, file from evidence.items;

-- Closed journal files whose copy was read back and found to be the same. A row here is never changed: nor is the file.
create table evidence.archived_files (
    file        bigint primary key,
    sha256      bytea       not null,
    bytes       bigint      not null,
    archived_at timestamptz not null
);

create trigger write_once before update or delete on evidence.archived_files
    for each row execute function evidence.refuse();

-- Exhibits of which ExhibitArchived has told.
create table evidence.archived_exhibits (
    exhibit_id  uuid primary key references evidence.exhibits,
    archived_at timestamptz not null
);
