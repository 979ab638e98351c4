using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class CalmConsoleTests
{
    [Fact]
    public void Write_Event_IsOneLineWithTimeLevelAndShortCategory() => Assert.Equal(
        "12:34:56 warn Nodes.NodeMonitor: node 'a' is lost ↵ for good" + Environment.NewLine,
        Write(LogLevel.Warning, "ClusterLlm.Coordinator.Nodes.NodeMonitor", "node 'a' is lost\nfor good", null));

    [Fact]
    public void Write_Exception_StaysOnTheLine() => Assert.Equal(
        "12:34:56 fail Kestrel: broken | System.IO.IOException: disk ↵ full" + Environment.NewLine,
        Write(LogLevel.Error, "Kestrel", "broken", new IOException("disk\r\nfull")));

    [Fact]
    public void Write_ExplainedStartFailureOfTheHost_IsLeftOut() => Assert.Empty(
        Write(LogLevel.Error, "Microsoft.Extensions.Hosting.Internal.Host", "Hosting failed to start", new OptionsValidationException("", typeof(string), ["x"])));

    private static string Write(LogLevel level, string category, string message, Exception? exception)
    {
        var time = new FakeTimeProvider(new(2026, 1, 2, 12, 34, 56, TimeSpan.Zero));
        using var output = new StringWriter();
        new CalmConsoleFormatter(time).Write(new LogEntry<string>(level, category, default, message, exception, (state, _) => state), null, output);
        return output.ToString();
    }
}
