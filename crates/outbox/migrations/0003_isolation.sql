-- A statement that forgets its filter must find nothing of another force. Each transaction names the force it is for in
-- the setting alcove.force ('*': every force, for the service's own work); without it no row of a force is seen at all.
-- The tables of this schema have no such policy: relay and consumers work for all forces, no use case reads an event
-- back, and an answer is given again only to a request with the same hash, its force included.

-- Puts one table under the rule: select outbox.isolate('referral.packages'). It needs a column force_id. Forced, for
-- the service owns its tables, and an owner is otherwise let past.
create function outbox.isolate(which regclass) returns void language plpgsql as $body$
begin
    execute format('alter table %s enable row level security, force row level security', which);
    -- In a subquery, so that it is asked once a statement and not once a row.
    execute format('create policy isolation on %s
        using ((select current_setting(''alcove.force'', true)) in (force_id, ''*''))', which);
end $body$;

-- The same for a table whose rows belong to a row of another: force_id is added, and is always that row's. Of a row
-- that the transaction can't see there is none, and the insert fails.
create function outbox.isolate_child(child regclass, child_key text, parent regclass, parent_key text) returns void
language plpgsql as $body$
begin
    execute format('alter table %s add column force_id text', child);
    -- Rows that nothing may change have a trigger that says so.
    execute format('alter table %s disable trigger user', child);
    execute format('update %s as child set force_id = parent.force_id from %s as parent where parent.%I = child.%I',
                   child, parent, parent_key, child_key);
    execute format('alter table %s enable trigger user, alter column force_id set not null', child);
    execute format('create function %s_force() returns trigger language plpgsql as $fill$
        begin
            new.force_id := (select force_id from %s as parent where parent.%I = new.%I);
            return new;
        end $fill$', child, parent, parent_key, child_key);
    execute format('create trigger force before insert on %s for each row execute function %s_force()', child, child);
    perform outbox.isolate(child);
end $body$;
