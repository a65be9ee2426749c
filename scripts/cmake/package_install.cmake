# installed package: see below
