// swift-tools-version: 6.2

import PackageDescription

/// A program of libFuzzer's, one file, which `run` builds. Its flags, and those that the libraries need for it, are why this is a package of
/// its own.
func fuzzer(_ name: String, _ libraries: String...) -> Target {
  .executableTarget(
    name: name, dependencies: ["LibFuzzer"] + libraries.map { .product(name: $0, package: "zmq-gateway") },
    swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])])
}

let package = Package(
  name: "fuzzing",
  dependencies: [.package(name: "zmq-gateway", path: "..")],
  targets: [
    .target(name: "LibFuzzer", swiftSettings: [.swiftLanguageMode(.v6)]),
    fuzzer("fuzz-messagepack", "MessagePack"), fuzzer("fuzz-pickle", "MessagePack"),
    fuzzer("fuzz-request", "MessagePack", "ZeroMQRPC"), fuzzer("fuzz-reply", "MessagePack", "ZeroMQRPC"),
    fuzzer("fuzz-configuration", "Gateway"), fuzzer("fuzz-headers", "Gateway", "HTTPServer", "Reactor"),
    fuzzer("fuzz-token", "Gateway"),
  ]
)
