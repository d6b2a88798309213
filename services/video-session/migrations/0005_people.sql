-- More people than caller and officer: a sergeant who looks on, an interpreter, an adult at a child's side. Each waits until the
-- officer lets them in, and nobody is in a call without being on the record: a presence is committed before their media is taken.

-- A person's row lasts from their coming to their being sent away; who is asked back after that gets another, so that no time
-- is ever written over.
alter table session.participants
    drop constraint participants_role_check,
    drop constraint participants_session_id_role_key,
    add constraint participants_role_check
        check (role in ('caller', 'officer', 'observer', 'interpreter', 'supporter')),
    -- Officers and observers, as they are signed in. Null for those who came by a code.
    add column staff_id text,
    add column came_at timestamptz,
    add column admitted_at timestamptz,
    add column removed_at timestamptz;

-- Those who are there already came when nobody wrote down when: not before their session.
update session.participants p set came_at = s.started_at, admitted_at = s.started_at,
    staff_id = case when p.role = 'officer' then s.officer_id end
from session.sessions s where s.session_id = p.session_id;

alter table session.participants alter column came_at set not null;
create index participants_by_session on session.participants (session_id);
create unique index participants_one_caller_one_officer on session.participants (session_id, role)
    where role in ('caller', 'officer') and removed_at is null;

-- What a code makes of whoever has it.
alter table session.invitations
    add column role text not null default 'caller' check (role in ('caller', 'interpreter', 'supporter'));
alter table session.invitations alter column role drop default;
