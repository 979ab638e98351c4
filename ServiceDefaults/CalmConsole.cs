using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ClusterLlm.ServiceDefaults;

/// <summary>Console logging that people can read: one line per event.</summary>
internal static class CalmConsole
{
    public static void AddCalmConsole(this IHostApplicationBuilder builder)
    {
        builder.Logging.AddConsole(options => options.FormatterName = CalmConsoleFormatter.FormatterName);
        builder.Logging.AddConsoleFormatter<CalmConsoleFormatter, ConsoleFormatterOptions>();
    }
}

/// <summary>Writes <c>12:34:56 warn Nodes.NodeMonitor: message</c>, an exception behind it on the same line.</summary>
internal sealed class CalmConsoleFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "calm";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        // What StartFailures explains is told once, by ClusterApplication, and not as the host's stack trace as well.
        if (logEntry.Exception is { } exception && StartFailures.Explain(exception) is not null && IsHost(logEntry.Category))
        {
            return;
        }

        textWriter.Write(time.GetLocalNow().ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture));
        textWriter.Write(Level(logEntry.LogLevel));
        textWriter.Write(Shorten(logEntry.Category));
        textWriter.Write(": ");
        textWriter.Write(OneLine(logEntry.Formatter(logEntry.State, logEntry.Exception)));
        if (logEntry.Exception is not null)
        {
            textWriter.Write(" | ");
            textWriter.Write(OneLine(logEntry.Exception.ToString()));
        }

        textWriter.WriteLine();
    }

    /// <summary>The category without the parts that all of ours share.</summary>
    internal static string Shorten(string category)
    {
        const string Product = "ClusterLlm.";
        if (!category.StartsWith(Product, StringComparison.Ordinal))
        {
            return category;
        }

        var project = category.IndexOf('.', Product.Length);
        return project < 0 ? category[Product.Length..] : category[(project + 1)..];
    }

    /// <summary>Line breaks become <c> ↵ </c>, so that a log stays one event per line.</summary>
    internal static string OneLine(string text) => text.ReplaceLineEndings(" ↵ ");

    private static bool IsHost(string category) => category.StartsWith("Microsoft.Extensions.Hosting", StringComparison.Ordinal);

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => " trce ",
        LogLevel.Debug => " dbug ",
        LogLevel.Warning => " warn ",
        LogLevel.Error => " fail ",
        LogLevel.Critical => " crit ",
        _ => " info ",
    };
}
