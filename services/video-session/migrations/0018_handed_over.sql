-- The desk may give a call to another officer in mid-call. Whoever had it stays with the caller until the other has joined, so
-- that nobody is left alone meanwhile: until then there is an officer of the call, and one who is to be.
-- And what ends because the desk gives the call back to the control room says so.
alter table session.sessions
    add column successor_id text,
    drop constraint sessions_end_reason_check,
    add constraint sessions_end_reason_check
        check (end_reason in ('OFFICER_ENDED', 'RETURNED_TO_CONTROL_ROOM', 'CALLER_LEFT', 'BOTH_GONE',
            'VIDEO_CONSENT_WITHDRAWN'));
