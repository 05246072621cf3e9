// The tests of servers that hold wherever their handshakes are done. Whoever imports them says by the environment where.
import '../tls/handshake-failures.test.js';
import '../tls/peer-identity.test.js';
import '../tls/resumption.test.js';
import '../tls/counters.test.js';
import '../tls/matrix-openssl.test.js';
import '../tls/https-curl.test.js';
import '../https/servers.test.js';
import '../https/http2.test.js';
