-- Two seats of one issuer never look alike: the subject in one case and one normal form, with one letter for those that look the same.
alter table postern.seat add column likeness text not null;
create unique index seat_likeness on postern.seat (contract_id, issuer, likeness);
