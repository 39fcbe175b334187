// For mongosh, on the first member's loopback. Run again, it does what is missing, and changes nothing else.
/* global db, print, quit, rs, sleep */
const { readFileSync } = require('node:fs');

const SET = 'vestibule';
const MEMBERS = ['mongodb-1', 'mongodb-2', 'mongodb-3'];
const PRIMARY_WITHIN_MS = 60_000;

const password = (name) => readFileSync(`/run/mongodb/${name}.password`, 'utf8').trim();
const admin = db.getSiblingDB('admin');

/** False while there is no such user, or this member doesn't know of it yet. */
function signIn() {
  try {
    return admin.auth('admin', password('admin')).ok === 1;
  } catch {
    return false;
  }
}

function initiate() {
  if (db.hello().setName) return;
  // The first one is preferred, so that the users can be made where this program is.
  const members = MEMBERS.map((host, _id) => ({ _id, host: `${host}:27017`, priority: _id === 0 ? 2 : 1 }));
  try {
    rs.initiate({ _id: SET, members });
  } catch (error) {
    // A member that has just started says that it is in no set until it has read which.
    if (error.codeName !== 'AlreadyInitialized') throw error;
  }
}

function waitForPrimary(isThere) {
  const until = Date.now() + PRIMARY_WITHIN_MS;
  while (!isThere(db.hello())) {
    if (Date.now() > until) {
      print('no primary was elected');
      quit(1);
    }
    sleep(200);
  }
}

function makeUsers() {
  // From the loopback the first user can be made by nobody, who may then make no other.
  if (!signIn()) {
    admin.createUser({
      user: 'admin',
      pwd: password('admin'),
      roles: ['userAdminAnyDatabase', 'clusterAdmin'],
    });
    admin.auth('admin', password('admin'));
  }
  if (!admin.getUser('vestibule')) {
    admin.createUser({
      user: 'vestibule',
      pwd: password('vestibule'),
      // dbAdmin: the migrations make indexes and validators.
      roles: ['readWrite', 'dbAdmin'].map((role) => ({ role, db: 'vestibule' })),
    });
  }
}

if (signIn() && admin.getUser('vestibule')) {
  waitForPrimary(({ primary }) => primary);
} else {
  initiate();
  // Users are made on the primary alone, and what a secondary doesn't have may be on its way: looked for once more.
  waitForPrimary(({ isWritablePrimary }) => isWritablePrimary);
  makeUsers();
}
print('the replica set is ready');
