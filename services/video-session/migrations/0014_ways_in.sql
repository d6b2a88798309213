-- A second way in: a link, sent by text message to a caller who can't speak. The link is another key to the same invitation as the
-- spoken code. No table has a phone number, a link or a token that anybody could read.

alter table session.invitations
    -- How its key gets to whom it is for.
    add column way text not null default 'spoken_code' check (way in ('spoken_code', 'sms')),
    -- HMAC-SHA-256 of the link's 128 bits, keyed as the code's. Null: there is no link.
    add column link_hash bytea unique;
alter table session.invitations alter column way drop default;

-- One message an invitation, from the order to its receipt.
create table session.texts (
    -- Also what whoever delivers it calls it by in a receipt.
    invitation_id uuid primary key references session.invitations,
    -- The order that it is carried out for: the link is made anew from it for each try (see src/keys.rs).
    request_id uuid not null,
    -- A number that the officer was told, because the caller rang withheld: encrypted with the server's key, and gone once the message
    -- is on its way. Null: the control room has the number, and is asked for it at each try.
    to_number bytea,
    state text not null check (state in ('queued', 'sent', 'delivered', 'failed')),
    tries integer not null default 0 check (tries >= 0),
    -- When the next try is due. One that has begun is another's only after it should be over.
    due_at timestamptz not null,
    -- Since when it has been in this state.
    at timestamptz not null,
    failure text,
    check ((state = 'failed') = (failure is not null)),
    check (state = 'queued' or to_number is null)
);

create index texts_due on session.texts (due_at) where state = 'queued';
