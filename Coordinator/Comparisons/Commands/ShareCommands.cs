using System.CommandLine;

namespace ClusterLlm.Coordinator.Comparisons.Commands;

/// <summary><c>compare export</c> and <c>compare import</c>: measurements as JSON Lines.</summary>
internal static class ShareCommands
{
    public static Command Export(Option<string> url)
    {
        var id = new Argument<string>("id") { Description = "A comparison, for example cmp-1a2b3c4d5e6f." };
        var source = new Option<string>("--source") { Description = "Who measured, as others shall see it.", Required = true };
        var command = new Command("export", "Prints what a comparison measured, one line for each candidate and cell, to share with others.") { id, source };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = new ComparisonClient(parsed.GetRequiredValue(url));
            return await client.TryAsync(
                async () =>
                {
                    Console.Write(await client.ReportAsync(parsed.GetRequiredValue(id), $"format=jsonl&source={Uri.EscapeDataString(parsed.GetRequiredValue(source))}", cancellationToken));
                    return 0;
                },
                cancellationToken);
        });
        return command;
    }

    public static Command Import(Option<string> url)
    {
        var file = new Argument<FileInfo>("file") { Description = "JSON Lines, as export prints them." };
        var command = new Command("import", "Takes measurements of others; they improve predictions for nodes with the same chip and engine version.") { file };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetRequiredValue(file) is not { Exists: true } found)
            {
                await Console.Error.WriteLineAsync($"There is no file {parsed.GetRequiredValue(file).FullName}.");
                return 1;
            }

            using var client = new ComparisonClient(parsed.GetRequiredValue(url));
            return await client.TryAsync(
                async () =>
                {
                    var outcome = await client.ImportAsync(await File.ReadAllTextAsync(found.FullName, cancellationToken), cancellationToken);
                    Console.WriteLine($"{outcome.GetProperty("imported")} new row(s), {outcome.GetProperty("known")} known, {outcome.GetProperty("calibrations").GetArrayLength()} kind(s) of machine calibrated.");
                    foreach (var rejected in outcome.GetProperty("rejected").EnumerateArray())
                    {
                        await Console.Error.WriteLineAsync($"line {rejected.GetProperty("line")}: {rejected.GetProperty("message").GetString()}");
                    }

                    return outcome.GetProperty("rejected").GetArrayLength() == 0 ? 0 : 3;
                },
                cancellationToken);
        });
        return command;
    }
}
