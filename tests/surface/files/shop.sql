CREATE TABLE shelf.made_by_baseline (id int);
INSERT INTO shelf.made_by_baseline VALUES (1);
