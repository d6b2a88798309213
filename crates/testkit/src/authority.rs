//! A certificate authority of one test, and browsers' users who trust it.

use std::{path::Path, process::Command};

use crate::{Error, scratch::run};

/// An authority (`ca.pem`), a server's certificate under it for such a name (`server.pem`, `server.key`), and the home folder of somebody
/// who trusts it (`home`).
pub(crate) fn certify(folder: &Path, name: &str) -> Result<(), Error> {
    let script = format!(
        "
        key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
        openssl req -x509 $key -keyout ca.key -out ca.pem -days 30 -subj '/CN=Authority of a test' \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req -x509 $key -keyout server.key -out server.pem -days 30 -subj '/CN=Server of a test' -CA ca.pem -CAkey ca.key \
            -addext subjectAltName={name} -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth"
    );
    run(Command::new("bash").args(["-euc", &script]).current_dir(folder))?;
    trust(&folder.join("ca.pem"), &folder.join("home/.pki/nssdb"))
}

/// Has whoever reads this database of certificates trust an authority: `.pki/nssdb` of a home folder is Chromium's, Firefox has one in
/// each profile.
pub(crate) fn trust(authority: &Path, database: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(database).map_err(Error::io("a folder for certificates"))?;
    let database = format!("sql:{}", database.display());
    run(Command::new("certutil").args(["-d", &database, "-N", "--empty-password"]))?;
    run(Command::new("certutil").args(["-d", &database, "-A", "-t", "C,,", "-n", "test", "-i"]).arg(authority))
}
