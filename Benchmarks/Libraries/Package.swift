// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "library-benchmark",
  dependencies: [.package(name: "zmq-gateway", path: "../..")],
  targets: [
    .target(name: "Bare", linkerSettings: [.linkedLibrary("zmq")]),
    .executableTarget(
      name: "library-bench",
      dependencies: [
        "Bare", .product(name: "Reactor", package: "zmq-gateway"), .product(name: "ZeroMQ", package: "zmq-gateway"),
        .product(name: "ZeroMQRPC", package: "zmq-gateway"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6)]),
  ]
)
