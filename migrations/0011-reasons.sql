-- Why somebody asks for a second owner, and why that one decides as they do: sealed under the key of the month of the log that says so. And requests that
-- nobody decided in time. `taken_until`: until when one process decides a request, or owes the entry of its expiry.
alter table postern.approval
  add column reason text,
  add column decided_reason text,
  add column taken_until timestamptz,
  alter column reason set statistics 0,
  alter column decided_reason set statistics 0,
  drop constraint approval_state_check,
  add constraint approval_state_check check (state in ('requested', 'approved', 'rejected', 'withdrawn', 'expired'));
