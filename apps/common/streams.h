/** apps/common/streams.h - standard input, output and error, of a program of a system. */
#ifndef TEMPEST_APPS_COMMON_STREAMS_H
#define TEMPEST_APPS_COMMON_STREAMS_H

/** Takes the numbers of standard input, output and error that the program was started
 * without, so that no file of its own gets one of them, and what it says. What is printed
 * there fails as before. For the start of a program. */
void app_take_streams(void);

#endif
