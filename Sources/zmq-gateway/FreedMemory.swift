import CLinux
import Gateway
import Glibc
import ServiceLifecycle

/// Gives memory that was freed back to the system: blocks below 32 KiB that lie between others stay with the process otherwise, as after some
/// thousand connections of TLS.
///
/// It looks every four seconds, on no reactor's thread, and asks the allocator to give when 8 MiB more of the process than before are in no
/// use. To give 35 MiB took 7 ms on two cores, and a look 0.2 to 2.6; a reactor that allocates just then may wait for a part of that.
struct FreedMemory: Service {
  private static let period = Duration.seconds(4)
  private static let worthwhile = 8 << 20
  /// How many looks are left out when there was little to give: what looked unused were buffers that nobody had written to.
  private static let pause = 3

  func run() async throws {
    var (least, pause) = (Int.max, 0)
    while await Self.isNextDue() {
      if pause > 0 {
        pause -= 1
        continue
      }
      let (resident, unused) = Self.look()
      least = min(least, unused)
      guard unused - least > Self.worthwhile else { continue }
      malloc_trim(0)
      let after = Self.look()
      least = after.unused
      if resident - after.resident < Self.worthwhile / 2 { pause = Self.pause }
    }
  }

  private static func isNextDue() async -> Bool {
    await cancelWhenGracefulShutdown { (try? await Task.sleep(for: period)) != nil }
  }

  /// Bytes of the process in memory, and how many more they are than what is in use.
  private static func look() -> (resident: Int, unused: Int) {
    let text = try? TextFile.read("/proc/self/statm")
    let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    let (resident, heap) = (pages * Int(getpagesize()), mallinfo2())
    return (resident, resident - heap.uordblks - heap.hblkhd)
  }
}
