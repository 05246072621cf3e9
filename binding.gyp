{
  "targets": [
    {
      "target_name": "so_crypt",
      "sources": [
        "native/addon.cc",
        "native/addon_small.cc",
        "native/addon_ssh.cc",
        "native/record/fingerprint.cc",
        "native/record/hmac.cc",
        "native/record/opener.cc",
        "native/record/sealer.cc",
        "native/record/ssh_opener.cc",
        "native/record/ssh_sealer.cc",
        "native/providers/af_alg.cc",
        "native/providers/af_alg_check.cc",
        "native/providers/af_alg_socket.cc",
        "native/providers/aio.cc",
        "native/providers/ciphers.cc",
        "native/providers/cryptodev.cc",
        "native/providers/cryptodev_bsd.cc",
        "native/providers/cryptodev_device.cc",
        "native/providers/cryptodev_linux.cc",
        "native/providers/evp.cc",
        "native/providers/evp_ssh_chacha.cc",
        "native/providers/verify.cc"
      ],
      "conditions": [
        [
          "OS=='linux' or OS=='openbsd'",
          {
            "sources": [
              "native/addon_kernel.cc",
              "native/kernel/readiness.cc",
              "native/kernel/readiness_epoll.cc",
              "native/kernel/readiness_kqueue.cc",
              "native/kernel/so_crypt.cc",
              "native/kernel/so_crypt_probe.cc",
              "native/kernel/socket_io.cc",
              "native/kernel/ssh_io.cc"
            ]
          }
        ],
        [
          "OS=='linux'",
          {
            "sources": [
              "native/addon_handshake.cc",
              "native/addon_linux.cc",
              "native/addon_relay.cc",
              "native/relay/relay.cc",
              "native/relay/relays.cc",
              "native/handshake/acceptor.cc",
              "native/handshake/handshake.cc",
              "native/handshake/here.cc",
              "native/handshake/loop.cc",
              "native/handshake/profile.cc",
              "native/handshake/threads.cc",
              "native/handshake/tls_context.cc",
              "native/kernel/cached_file.cc",
              "native/kernel/inherited.cc",
              "native/kernel/ktls.cc",
              "native/kernel/ktls_offload.cc",
              "native/kernel/ktls_probe.cc"
            ]
          }
        ]
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-O3"],
      "cflags_cc!": ["-std=gnu++20"],
      "cflags_cc": ["-std=c++17"],
      "xcode_settings": { "CLANG_CXX_LANGUAGE_STANDARD": "c++17", "GCC_OPTIMIZATION_LEVEL": "3" },
      "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++17"] } }
    }
  ]
}
