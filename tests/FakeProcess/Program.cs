using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

// A process for the supervisor's tests. FAKE_MODE says how it behaves:
//   (empty)   listens, writes its ready file, is healthy, ends on SIGTERM or at the end of its input
//   stubborn  the same, but it ends on neither
//   silent    never listens, ends on SIGTERM
//   sick      listens, but its health check fails
//   exit N    writes two lines and ends with exit code N
var mode = Environment.GetEnvironmentVariable("FAKE_MODE") ?? "";
Console.WriteLine($"fake {mode}".TrimEnd());
if (mode.StartsWith("exit ", StringComparison.Ordinal))
{
    Console.Error.WriteLine("it went wrong");
    return int.Parse(mode[5..], System.Globalization.CultureInfo.InvariantCulture);
}

var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    if (mode != "stubborn")
    {
        ended.TrySetResult("SIGTERM");
    }
});
var inputWatch = new Thread(ReadInputToItsEnd) { IsBackground = true };
inputWatch.Start();

if (mode != "silent")
{
    var port = int.Parse(Environment.GetEnvironmentVariable("FAKE_PORT") ?? "0", System.Globalization.CultureInfo.InvariantCulture);
    var listener = new TcpListener(IPAddress.Loopback, port);
    listener.Start();
    _ = AnswerAsync(listener, mode == "sick" ? "503 Service Unavailable" : "200 OK");
    var ready = Environment.GetEnvironmentVariable("FAKE_READY")!;
    File.WriteAllText(ready + ".new", $$"""{"webUrl":"http://{{listener.LocalEndpoint}}/","pid":{{Environment.ProcessId}}}""");
    File.Move(ready + ".new", ready, overwrite: true);
}

foreach (var name in new[] { "FAKE_TOLD", "CLUSTERLLM_PARENT" })
{
    Console.WriteLine($"{name}={Environment.GetEnvironmentVariable(name)}");
}

Console.WriteLine($"ended by {await ended.Task}");
return 0;

void ReadInputToItsEnd()
{
    using var input = Console.OpenStandardInput();
    while (input.ReadByte() >= 0)
    {
        // Only its end means something.
    }

    if (mode != "stubborn")
    {
        ended.TrySetResult("end of input");
    }
}

static async Task AnswerAsync(TcpListener listener, string status)
{
    while (true)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[1024], 1);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    }
}
