// A self-signed ECDSA P-256 certificate for localhost, valid from 2024 to 2043, made once with `openssl ca -selfsign`.
// The key is public by being here: it serves the bench on the loopback interface and nothing else. It is kept in
// the tree so that the bench needs no openssl command, and every run signs with the same kind of key.

export const benchKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdf1Mss9RAvNZGepN
dF1ues788qUgFLSpv8Rfxv8RXNWhRANCAATGQcd67BmR9q7NvjCXlPtvOc4BnHIZ
/n1a46N+rTM8G3XTu12BIIju8YIRMbZsVLOAtQXFsRuB0wDyK7tSSMEr
-----END PRIVATE KEY-----`;

export const benchCertificate = `-----BEGIN CERTIFICATE-----
MIIBZTCCAQugAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwHhcNMjQwMTAxMDAwMDAwWhcNNDQwMTAxMDAwMDAwWjAUMRIwEAYDVQQDDAls
b2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATGQcd67BmR9q7NvjCX
lPtvOc4BnHIZ/n1a46N+rTM8G3XTu12BIIju8YIRMbZsVLOAtQXFsRuB0wDyK7tS
SMEro04wTDAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwDwYDVR0TAQH/BAUw
AwEB/zAdBgNVHQ4EFgQUO/2GGCZ4mo4OcGu1J5dsOkObRu8wCgYIKoZIzj0EAwID
SAAwRQIgZXoJohLNfab6w/a7YxqNMejha1lH9PnSOLcgM1Hs+EcCIQCW33czVZVb
xwKsZ9NbekQY8K6qWDg307YdZrTZdjfQ8w==
-----END CERTIFICATE-----`;
