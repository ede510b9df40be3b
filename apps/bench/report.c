#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "io/base.h"

int bench_complain(const char *what, int error)
{
    fprintf(stderr, "tempest-bench: %s: %s\n", what, strerror(-error));
    return error;
}

int bench_report_open(struct bench_report *report, const struct bench_options *options)
{
    struct utsname system;

    report->options = options;
    report->unit_ns = 1;
    report->unit_name = "ns";
    if (uname(&system) < 0)
        return bench_complain("uname", -errno);
    if (!options->json) {
        printf("%s on Linux %s, %ld processors\n", options->name, system.release,
               sysconf(_SC_NPROCESSORS_ONLN));
        return 0;
    }
    report->json = open_memstream(&report->json_text, &report->json_bytes);
    if (report->json == NULL)
        return bench_complain("memory", -ENOMEM);
    fprintf(
        report->json,
        "{\"bench\": \"%s\", \"version\": \"%d.%d.%d\", \"processors\": %ld, \"rows\": [",
        options->name, TP_VERSION_MAJOR, TP_VERSION_MINOR, TP_VERSION_PATCH,
        sysconf(_SC_NPROCESSORS_ONLN));
    return 0;
}

static void json_begin_row(struct bench_report *report, const char *name)
{
    fprintf(report->json, "%s\n  {\"name\": \"%s\"", report->rows++ > 0 ? "," : "", name);
}

static void json_three(FILE *json, const char *name, const double three[3])
{
    fprintf(json, ", \"%s\": %.2f, \"%s_min\": %.2f, \"%s_max\": %.2f", name, three[0],
            name, three[1], name, three[2]);
}

static void json_row(struct bench_report *report, const struct bench_setting *setting,
                     const struct bench_figures *figures)
{
    FILE *json = report->json;

    json_begin_row(report, figures->name);
    if (setting->depth > 0)
        fprintf(json, ", \"depth\": %u", setting->depth);
    if (setting->connections > 0)
        fprintf(json, ", \"connections\": %u", setting->connections);
    if (setting->command != NULL)
        fprintf(json, ", \"command\": \"%s\"", setting->command);
    if (setting->mode != NULL)
        fprintf(json, ", \"mode\": \"%s\"", setting->mode);
    json_three(json, "ns_op", figures->ns_op);
    fprintf(json, ", \"ops_s\": %.2f, \"ops_s_min\": %.2f, \"ops_s_max\": %.2f",
            1e9 / figures->ns_op[0], 1e9 / figures->ns_op[2], 1e9 / figures->ns_op[1]);
    json_three(json, "cpu_ns_op", figures->cpu_ns_op);
    if (figures->p50_us[0] > 0) {
        json_three(json, "p50_us", figures->p50_us);
        json_three(json, "p99_us", figures->p99_us);
    }
    if (setting->bytes_op > 0)
        fprintf(json, ", \"bytes\": %llu, \"mib_s\": %.1f",
                (unsigned long long)setting->bytes_op,
                (double)setting->bytes_op / 1048576 / (figures->ns_op[0] / 1e9));
    if (figures->against != NULL)
        fprintf(json,
                ", \"against\": \"%s\", \"speed_ratio\": %.4f, \"over_ns\": %.2f, "
                "\"cpu_ratio\": %.4f, \"cpu_over_ns\": %.2f",
                figures->against, figures->ratio, figures->over_ns, figures->cpu_ratio,
                figures->cpu_over_ns);
    fputc('}', json);
}

/* Appends ", TEXT NUMBER" to a title; the comma only behind something. */
static void say(char title[64], const char *text, uint32_t number)
{
    size_t len = strlen(title);

    (void)snprintf(title + len, 64 - len, "%s%s", len > 0 ? ", " : "", text);
    len = strlen(title);
    if (number > 0)
        (void)snprintf(title + len, 64 - len, " %u", number);
}

void bench_report_setting(struct bench_report *report, const struct bench_setting *setting)
{
    char title[64] = "";

    if (report->json != NULL)
        return;
    if (setting->command != NULL)
        say(title, setting->command, 0);
    if (setting->mode != NULL)
        say(title, setting->mode, 0);
    if (setting->connections > 0)
        say(title, "clients", setting->connections);
    if (setting->depth > 0)
        say(title, "depth", setting->depth);
    printf("\n%-36s %10s %10s %10s %10s   %s%s\n", title, report->unit_name, "min", "max",
           "CPU", setting->connections > 0 ? "   p50 us    p99 us   " : "",
           " speed and time, CPU and its time, against");
}

static void table_row(const struct bench_report *report,
                      const struct bench_figures *figures)
{
    double unit = report->unit_ns;

    printf("%-36s %10.1f %10.1f %10.1f %10.1f", figures->name, figures->ns_op[0] / unit,
           figures->ns_op[1] / unit, figures->ns_op[2] / unit,
           figures->cpu_ns_op[0] / unit);
    if (figures->p50_us[0] > 0)
        printf("  %9.1f %9.1f  ", figures->p50_us[0], figures->p99_us[0]);
    if (figures->against != NULL)
        printf("   %5.2fx %+9.1f   %5.2fx %+9.1f   %s", figures->ratio,
               figures->over_ns / unit, figures->cpu_ratio, figures->cpu_over_ns / unit,
               figures->against);
    putchar('\n');
    (void)fflush(stdout);
}

void bench_report_figures(struct bench_report *report, const struct bench_setting *setting,
                          const struct bench_figures *figures)
{
    if (report->json != NULL) {
        json_row(report, setting, figures);
        return;
    }
    table_row(report, figures);
}

void bench_report_numbers(struct bench_report *report, const char *name,
                          const struct bench_extra *extras, uint32_t count)
{
    if (report->json != NULL)
        json_begin_row(report, name);
    else
        printf("\n%s\n", name);
    for (uint32_t i = 0; i < count; i++) {
        if (report->json != NULL)
            fprintf(report->json, ", \"%s\": %.2f", extras[i].name, extras[i].value);
        else
            printf("  %-32s %12.2f\n", extras[i].name, extras[i].value);
    }
    if (report->json != NULL)
        fputc('}', report->json);
    else
        (void)fflush(stdout);
}

int bench_report_close(struct bench_report *report, int result)
{
    if (report->json == NULL)
        return result;
    fputs("\n]}\n", report->json);
    if (fclose(report->json) != 0 && result == 0)
        result = bench_complain("memory", -ENOMEM);
    if (result == 0)
        fputs(report->json_text, stdout);
    free(report->json_text);
    return result;
}
