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

// The same with an RSA key of 2,048 bits, made with `openssl req -x509`.

export const benchRsaKey = `-----BEGIN PRIVATE KEY-----
MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQCoPg0jDsY6fzWX
zAroR+1DSmSOzl/MAtOyxneoJpK/YGTaPg+77GargXrnY34Hlz2i6/FnXwXPLW2N
yLTj5SVECDT/WZEzm6QAM4pjbz2ChuR0KkTUl0vxFk0JSYZoge17VYfkMSeZqG9i
g5Fmh7ObjXGraMWhawcicxLrKuvY17D06LXA6l5fH93Mz4JfoINUKMnkmwk3AZ9J
vhaONBk91uikVq6X56AfOr/tAuwZKu7KxMg1R5TFqWLVq50zlUIzLUHM/iKHnYhH
fo4IXD6uQNWKq5/v/2V6pn3l0SrSMQP3JuJX723zkoKwiJx96vf5wdzlm4CkIsPO
yQdDZn3ZAgMBAAECggEAC7jH2IjBSR0VolEq9C3iuxzJSDJBXJwlaZMujg6JJebo
HLtU0RtY64Hp14pIIx/awWmrJMnrKsw3xR7WDGGQPAVOwywkRwWE7410isk0bpr9
LfzHiLPorINVwOjLzqc5LeEl+fRuYmQ1knynmkGoXJU5W+xz7Izhu99rOR60VopS
3KJsDtyYLFWz/l/B+UgigQ1ypSc4PZDlHx+XEW4vF0aHE1RphVN706qC272s/rPc
CwOklSv6gvf2cyUacjDjOnw435cIpxssvQ1mStJl67nM0dJcqraHddTzl+1dV99p
1Aq72VvOukoEzwPh/SRmA2jo0xlTG2uxUNAWswqWYwKBgQDXF1S/+3D4smtT4txm
KTF1yZpY2JHRR+asOufcLTKO1uxPUDg9IiRi06O1j6dBhw0/RuzxwsmPAbkEqTWf
qLMJ8ZdxudC88+s176mfvDCAmhoD26lnOH3/emJnaaQ7vIlU+Y6aorZurO+iQvwx
fFbh7P4+vIH9aIfHnYatlIUPowKBgQDIPa40ZEVQ7Fc6Qes91qJrtwTYnGJDB7dJ
0tuChz1bBgGjkYoJDv6e8nX150yiFtvcwW/y4fxqzFEI4vqKZVRHK80M+l+lUL3l
ioj+Ud+NiqZzBYvsnud6Zlleawh4fjmVFdbx4iw0LeuGuiDvVIiRM9oDlRFLCTbB
S6M/VKqkUwKBgQDG8ZyA6gem8BgXgejLUWSfBraNYNsWkIOKX/2fB+sQdTgjcBZk
bRTsl8Z/I3zXPhwBoA9+2eTmMfi4l+2yXC4lj2C9Xtn0O0QeIitpRH40JNTVJrJ8
d6MKz17/OZYfbpYzk5PT8ZX9rlUDZyOufcw6saLD0kYFZk7YUhqEqK+eMwKBgQCP
3OjE0WmPm02MGIIXepZUxzgfHDPorql7y5dT7zAgrm8NAmpm2bQLpG0lj9lZ9wxd
TUjN+pisbkCmHtUcC3MCczCt61A+aIUWXnLQLShs+7lcmBaQmRX7tX7tu/5o+18J
gphcTj+t+XPm5uD0sgowME2pFzdGbsc9Fsehn4W96wKBgQCN5pdylffTeqRIiiBJ
p9qkQoIIfC41IgLX5ZBEnLQwD2TtYMniUDEZdBLYXUYjY484AEJuLPQA5cDa8eFk
7zEBsOCsL/AIGdiKx+5xFDIvc8T30Zsg91JS3jMhAg3ZACL6HqoneszF2bSr1QOF
2KXZ2wd46tjoqanaE2a7UTEcnQ==
-----END PRIVATE KEY-----`;

export const benchRsaCertificate = `-----BEGIN CERTIFICATE-----
MIIDJTCCAg2gAwIBAgIUSQI0CpIoVwgudnAwLU/1kj5OtHQwDQYJKoZIhvcNAQEL
BQAwFDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyMTEwMDQxMVoXDTQ0MDIy
MDEwMDQxMVowFDESMBAGA1UEAwwJbG9jYWxob3N0MIIBIjANBgkqhkiG9w0BAQEF
AAOCAQ8AMIIBCgKCAQEAqD4NIw7GOn81l8wK6EftQ0pkjs5fzALTssZ3qCaSv2Bk
2j4Pu+xmq4F652N+B5c9ouvxZ18Fzy1tjci04+UlRAg0/1mRM5ukADOKY289gobk
dCpE1JdL8RZNCUmGaIHte1WH5DEnmahvYoORZoezm41xq2jFoWsHInMS6yrr2New
9Oi1wOpeXx/dzM+CX6CDVCjJ5JsJNwGfSb4WjjQZPdbopFaul+egHzq/7QLsGSru
ysTINUeUxali1audM5VCMy1BzP4ih52IR36OCFw+rkDViquf7/9leqZ95dEq0jED
9ybiV+9t85KCsIicfer3+cHc5ZuApCLDzskHQ2Z92QIDAQABo28wbTAdBgNVHQ4E
FgQUAyiwj4beSSSD7bQddZqOAFf9WkcwHwYDVR0jBBgwFoAUAyiwj4beSSSD7bQd
dZqOAFf9WkcwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SH
BH8AAAEwDQYJKoZIhvcNAQELBQADggEBAGY5XZ2lbEMTwn7BkltzLmJZ9CeJhLVN
HTP13M+NDGl6zbIDXe9/Yfc3JSPH8nyBos+lWeFcBArvSY7pn9NEH3ylWg83OYDT
Th9ahnKcLN+Mh+DL2F9amyz8UOU0ZPKAZEjZ9SoJjB4IdvhOLxvBY5OhOD/WuHuO
2KeRu2BeWJO1MFxKB1Gs1JbIoWJOVQEsle9kAAgoCVoGfiYJp5vza85thejb+j+t
lZFxa/qhlTur/BJW3QJ7zhbs48YJtezODsyjFbDVoK7NA2nY85XwwTsmxN5L5u6s
93xrzKowPNXtIuHD2hiwz56irEUdkFpRHy5mfoIPwBHj0B/Rxarg9CA=
-----END CERTIFICATE-----`;

/** What a server of the bench shows. */
export const credentials = {
  p256: { key: benchKey, cert: benchCertificate },
  rsa2048: { key: benchRsaKey, cert: benchRsaCertificate },
} as const;

export type CredentialName = keyof typeof credentials;
