-- Two seats of one issuer never look alike: the subject in one case and one normal form, with one letter for those that look the same.
alter table postern.seat add column likeness text not null;
create unique index seat_likeness on postern.seat (contract_id, issuer, likeness);

-- Confidentiality agreement and privacy training on file: when, and the last day for which it holds (null: it says none). What a contract demands is in its bundle.
alter table postern.seat
  add column agreement_on date, add column agreement_until date,
  add column training_on date, add column training_until date,
  add check (agreement_on is not null or agreement_until is null),
  add check (training_on is not null or training_until is null);

-- In which hours of the week the seat works, in the contract's zone: "mon-fri 09:00-18:00; sat 22:00-06:00". Null: at any time.
alter table postern.seat add column shifts text;

-- The role that a second person approved for it, where the contract wants two for that role; another role is not approved by it.
alter table postern.seat add column approved_role text;

-- Whose people took the seat away: what the merchant took, the vendor does not give back.
alter table postern.seat add column revoked_by text check (revoked_by in ('merchant_owner', 'vendor_admin'));
