// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "codec-benchmark",
  dependencies: [.package(name: "zmq-gateway", path: "../..")],
  targets: [
    .executableTarget(
      name: "codec-bench", dependencies: [.product(name: "MessagePack", package: "zmq-gateway")],
      swiftSettings: [.swiftLanguageMode(.v6)])
  ]
)
